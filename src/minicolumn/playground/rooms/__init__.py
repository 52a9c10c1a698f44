"""The rooms of the course: each one idea of a first course in deep learning, to be tried by hand."""
