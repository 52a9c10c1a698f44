"""The room `network`: a small network on two inputs, built, trained, watched and taken apart."""
