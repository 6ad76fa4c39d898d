"""Does tuning help? SFT and DPO of the small model, from data to the table in docs/results.md."""
