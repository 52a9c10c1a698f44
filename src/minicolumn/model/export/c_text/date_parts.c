/* Reads as many digits as there are to be; -1: there are other letters. */
static int32_t digits(const char **const text, int count) {
  int32_t found = 0;
  for (; count; --count, ++*text) {
    if (!is_digit(**text)) return -1;
    found = found * 10 + (**text - '0');
  }
  return found;
}
static int32_t days_in(const int32_t year, const int32_t month) {
  const int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (month == 2) return 28 + leap;
  return 30 + (month + (month > 7)) % 2;
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
/* Year, month, day, weekday, day of the year, hour, minute, days since 1970, of microseconds since then. */
static void parts_of(const int64_t micros, double *const parts) {
  const int64_t day = 86400000000;
  const int64_t days = (micros >= 0 ? micros : micros - (day - 1)) / day, of_day = micros - days * day;
  const int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
  int64_t of_era = z - era * 146097, of_year, month, year;
  of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  of_year = z - era * 146097 - (365 * of_era + of_era / 4 - of_era / 100);
  month = (5 * of_year + 2) / 153;
  parts[2] = (double)(of_year - (153 * month + 2) / 5 + 1);
  month += month < 10 ? 3 : -9;
  year = of_era + era * 400 + (month <= 2);
  parts[0] = (double)year;
  parts[1] = (double)month;
  parts[3] = (double)(((days + 3) % 7 + 7) % 7 + 1);
  parts[4] = (double)(days - days_from(year, 1, 1) + 1);
  parts[5] = (double)(of_day / 3600000000);
  parts[6] = (double)(of_day / 60000000 % 60);
  parts[7] = (double)micros / 86400000000.0;
}
/* What files write for no date: years 9999 and 0000, 0001-01-01, 1900-01-00. */
static int is_sentinel(const char *text, const char *const end) {
  if (!strncmp(text, "0001-01-01", 10) || !strncmp(text, "1900-01-00", 10)) return 1;
  if (strncmp(text, "9999-", 5) && strncmp(text, "0000-", 5)) return 0;
  text += 5;
  if (digits(&text, 2) < 0 || *text++ != '-' || digits(&text, 2) < 0) return 0;
  return text == end || *text == 'T' || *text == ' ';
}
/* Reads a clock behind a date into microseconds; 0: the text is none. */
static int clock_of(const char **const text, int64_t *const micros) {
  int32_t hour, minute, second = 0, place = 100000;
  int64_t found = 0, offset = 0;
  hour = digits(text, 2);
  if (hour < 0 || hour > 23 || *(*text)++ != ':') return 0;
  minute = digits(text, 2);
  if (minute < 0 || minute > 59) return 0;
  if (**text == ':') {
    ++*text;
    second = digits(text, 2);
    if (second < 0 || second > 59) return 0;
    if (**text == '.') {
      const char *const first = ++*text;
      for (; is_digit(**text); ++*text, place /= 10) found += place * (**text - '0');
      if (*text == first || *text - first > 9) return 0;
    }
  }
  if (**text == 'Z') {
    ++*text;
  } else if (**text == '+' || **text == '-') {
    const int32_t sign = *(*text)++ == '-' ? -1 : 1, hours = digits(text, 2);
    const int32_t minutes = (**text == ':' ? ++*text : *text, digits(text, 2));
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return 0;
    offset = sign * (hours * 60 + minutes);
  }
  *micros = found + ((hour * 60 + minute - offset) * 60 + second) * 1000000;
  return 1;
}
/* The parts of a date in the years 1000 to 2999; 0: the text is none. */
static int date_parts(const char *text, double *const parts) {
  int32_t year, month, day;
  int64_t micros = 0;
  const char *end;
  size_t size;
  int k;
  text = trimmed(text, &size);
  end = text + size;
  if (is_no_value(text, size) || is_sentinel(text, end)) {
    for (k = 0; k < 8; ++k) parts[k] = NAN;
    return 1;
  }
  year = digits(&text, 4);
  if (year < 0 || *text++ != '-') return 0;
  month = digits(&text, 2);
  if (month < 1 || month > 12 || *text++ != '-') return 0;
  day = digits(&text, 2);
  if (day < 1 || day > days_in(year, month)) return 0;
  if (text < end && (*text == 'T' || *text == ' ')) {
    ++text;
    if (!clock_of(&text, &micros)) return 0;
  }
  if (text != end) return 0;
  parts_of(micros + days_from(year, month, day) * 86400000000, parts);
  return parts[0] >= 1000 && parts[0] <= 2999;
}
