/* test ? yes : no, by bits: gcc vectorizes no loop in which a number is computed under a condition. */
static inline float choose_f32(const int32_t test, const float yes, const float no) {
  const uint32_t mask = 0u - (uint32_t)(test != 0);
  return of_bits((to_bits(yes) & mask) | (to_bits(no) & ~mask));
}
