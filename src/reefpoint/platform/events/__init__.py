"""The transactional outbox: published facts, delivered to handlers in order, retried, dead-lettered."""
