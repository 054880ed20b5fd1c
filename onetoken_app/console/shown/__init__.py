"""What pages show: views turned into texts and proportions, so that a page formats nothing itself."""
