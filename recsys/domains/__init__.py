"""Public datasets: native file layouts in, Items and Interactions out."""
