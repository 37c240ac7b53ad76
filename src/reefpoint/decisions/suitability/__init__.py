"""What may be offered to whom: segments, the questionnaire, and the table of offers."""
