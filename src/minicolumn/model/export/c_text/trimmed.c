static char lower(const char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}
static int is_digit(const char c) {
  return c >= '0' && c <= '9';
}
/* The bytes of the blank that a text begins with, of those that Unicode has; 0: it begins with none. */
static size_t blank(const char *const text) {
  const unsigned char *const t = (const unsigned char *)text;
  if (t[0] == ' ' || (t[0] >= '\t' && t[0] <= '\r')) return 1;
  if (t[0] == 0xC2) return t[1] == 0x85 || t[1] == 0xA0 ? 2 : 0;
  if (t[0] == 0xE1) return t[1] == 0x9A && t[2] == 0x80 ? 3 : 0;
  if (t[0] == 0xE3) return t[1] == 0x80 && t[2] == 0x80 ? 3 : 0;
  if (t[0] != 0xE2) return 0;
  if (t[1] == 0x81) return t[2] == 0x9F ? 3 : 0;
  if (t[1] != 0x80) return 0;
  return (t[2] >= 0x80 && t[2] <= 0x8A) || t[2] == 0xA8 || t[2] == 0xA9 || t[2] == 0xAF ? 3 : 0;
}
/* Leaves out blanks on both sides, and ".0" behind a whole number. */
static const char *trimmed(const char *text, size_t *const size) {
  size_t n, whole = 0, width;
  if (text == NULL) text = "";
  while ((width = blank(text)) > 0) text += width;
  n = strlen(text);
  for (width = 1; width <= 3 && width <= n; ++width) {
    if (blank(text + n - width) == width) {
      n -= width;
      width = 0;
    }
  }
  if (n && (*text == '-' || *text == '+')) ++whole;
  while (whole < n && is_digit(text[whole])) ++whole;
  if (whole && is_digit(text[whole - 1]) && whole + 1 < n && text[whole] == '.') {
    size_t zeros = whole + 1;
    while (zeros < n && text[zeros] == '0') ++zeros;
    if (zeros == n) n = whole;
  }
  *size = n;
  return text;
}
