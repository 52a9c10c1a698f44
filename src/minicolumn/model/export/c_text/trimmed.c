static char lower(const char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}
static int is_digit(const char c) {
  return c >= '0' && c <= '9';
}
static int is_blank(const char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
/* Leaves out blanks on both sides, and ".0" behind a whole number. */
static const char *trimmed(const char *text, size_t *const size) {
  size_t n, whole = 0;
  if (text == NULL) text = "";
  while (is_blank(*text)) ++text;
  n = strlen(text);
  while (n && is_blank(text[n - 1])) --n;
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
