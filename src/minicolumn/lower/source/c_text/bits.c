static inline float of_bits(const uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
static inline uint32_t to_bits(const float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
