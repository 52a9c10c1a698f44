struct level {
  const char *text;
  int32_t code;
};
/* 0: a level that was not seen in training, 1: missing. */
static double code_of(const char *text, const struct level *const levels, const int32_t count) {
  int32_t low = 0, high = count;
  size_t size;
  text = trimmed(text, &size);
  while (low < high) {
    const int32_t middle = (low + high) / 2;
    const char *const level = levels[middle].text;
    int order = strncmp(level, text, size);
    if (order == 0 && level[size]) order = 1;
    if (order == 0) return levels[middle].code;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return is_missing(text, size) ? 1 : 0;
}
