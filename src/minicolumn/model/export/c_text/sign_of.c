static double sign_of(const char *text) {
  size_t size;
  text = trimmed(text, &size);
  return is_missing(text, size) ? 0 : is_yes(text, size) - is_no(text, size);
}
