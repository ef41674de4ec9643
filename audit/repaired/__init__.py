"""What a repair came to: findings and their outcomes, how far it reaches, and what it cost."""
