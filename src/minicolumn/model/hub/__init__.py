"""Hugging Face Hub: model files hf://owner/name@revision, down and up through huggingface_hub."""
