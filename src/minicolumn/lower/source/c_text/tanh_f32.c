/* tanh x = t / (t + 2), t = e^2x - 1; beyond 10 it is 1 to every digit. */
static inline float tanh_f32(const float x) {
  const float above = choose_f32(x < -10.0f, -10.0f, x), y = choose_f32(above > 10.0f, 10.0f, above);
  const float t = expm1_f32(2.0f * y);
  return t / (t + 2.0f);
}
