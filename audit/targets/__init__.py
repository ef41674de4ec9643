"""What can be audited: each target answers requests and knows no probe and no score."""
