"""Material for the demonstration: a lender that learned from biased decisions of the past."""
