/* Reads as many digits as there are to be; -1: there are other letters. */
static int32_t digits(const char **const text, int count) {
  int32_t found = 0;
  for (; count; --count, ++*text) {
    if (!is_digit(**text)) return -1;
    found = found * 10 + (**text - '0');
  }
  return found;
}
/* Days since 1970-01-01: Howard Hinnant, "chrono-compatible low-level date algorithms". */
static int64_t days_from(int64_t y, const int32_t m, const int32_t d) {
  int64_t era, of_era, of_year;
  y -= m <= 2;
  era = (y >= 0 ? y : y - 399) / 400;
  of_era = y - era * 400;
  of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}
/* Year, month, day, weekday, day of the year, hour, minute, days since 1970; 0: the text is no date. */
static int date_parts(const char *text, double *const parts) {
  int32_t year, month, day, hour = 0, minute = 0, second = 0, offset = 0;
  double fraction = 0.0, place = 0.1;
  int64_t days, of_day, z, era, of_era, of_year, shifted;
  size_t size;
  int k;
  text = trimmed(text, &size);
  if (is_missing(text, size)) {
    for (k = 0; k < 8; ++k) parts[k] = NAN;
    return 1;
  }
  year = digits(&text, 4);
  if (year < 0 || *text++ != '-') return 0;
  month = digits(&text, 2);
  if (month < 1 || month > 12 || *text++ != '-') return 0;
  day = digits(&text, 2);
  if (day < 1 || day > 31) return 0;
  if (*text == 'T' || *text == ' ') {
    ++text;
    hour = digits(&text, 2);
    if (hour < 0 || hour > 23 || *text++ != ':') return 0;
    minute = digits(&text, 2);
    if (minute < 0 || minute > 59) return 0;
    if (*text == ':') {
      ++text;
      second = digits(&text, 2);
      if (second < 0 || second > 59) return 0;
      if (*text == '.') {
        for (++text; is_digit(*text); ++text, place /= 10) fraction += place * (*text - '0');
      }
    }
    if (*text == 'Z') {
      ++text;
    } else if (*text == '+' || *text == '-') {
      const int32_t sign = *text++ == '-' ? -1 : 1;
      const int32_t hours = digits(&text, 2), minutes = (*text == ':' ? ++text : text, digits(&text, 2));
      if (hours < 0 || minutes < 0) return 0;
      offset = sign * (hours * 3600 + minutes * 60);
    }
  }
  while (*text == ' ') ++text;
  if (*text) return 0;
  of_day = hour * 3600 + minute * 60 + second - offset;
  days = days_from(year, month, day);
  shifted = (of_day >= 0 ? of_day : of_day - 86399) / 86400;
  days += shifted;
  of_day -= shifted * 86400;
  z = days + 719468;
  era = (z >= 0 ? z : z - 146096) / 146097;
  of_era = z - era * 146097;
  of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  of_year = z - era * 146097 - (365 * of_era + of_era / 4 - of_era / 100);
  month = (int32_t)((5 * of_year + 2) / 153);
  parts[2] = (double)(of_year - (153 * month + 2) / 5 + 1);
  month += month < 10 ? 3 : -9;
  parts[0] = (double)(of_era + era * 400 + (month <= 2));
  parts[1] = month;
  parts[3] = (double)(((days + 3) % 7 + 7) % 7 + 1);
  parts[4] = (double)(days - days_from((int64_t)parts[0], 1, 1) + 1);
  parts[5] = (double)(of_day / 3600);
  parts[6] = (double)(of_day / 60 % 60);
  parts[7] = (double)days + ((double)of_day + fraction) / 86400.0;
  return 1;
}
