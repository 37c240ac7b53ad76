"""The life of an open account: facility, drawdown, deposit, repayment, withdrawal, purchase, sale, interest."""
