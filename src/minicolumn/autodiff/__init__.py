"""Graph to gradients: one backward walk, and every derivative that is made of it."""
