"""What comes out of a run: adapters and models, published, exported, changed."""
