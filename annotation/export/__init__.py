"""Judgements as files that other tools take as they are: TRL, LLaMA-Factory, spreadsheets."""
