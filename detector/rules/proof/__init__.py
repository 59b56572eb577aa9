"""The examples beside each rule, and whether it does what they say."""
