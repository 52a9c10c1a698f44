static inline double choose_f64(const int32_t test, const double yes, const double no) {
  return test ? yes : no;
}
