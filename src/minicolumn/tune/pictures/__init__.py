"""Pictures of a study: each draws into given axes, or makes a picture of its own."""
