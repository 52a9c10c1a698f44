"""The playground: live trainings for a page in the browser, driven by the engine of `mc.Trainer`."""
