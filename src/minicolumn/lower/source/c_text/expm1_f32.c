/* e^x - 1 = 2^n (e^r - 1) + (2^n - 1), as exp_f32; so the digits of small x are kept. */
static inline float expm1_f32(const float x) {
  const float above = choose_f32(x < -104.0f, -104.0f, x), y = choose_f32(above > 89.0f, 89.0f, above);
  const float n = (y * 1.44269504f + 12582912.0f) - 12582912.0f;
  const float r = (y - n * 0.693359375f) - n * -2.12194440e-4f;
  const float p = ((((1.9875691500e-4f * r + 1.3981999507e-3f) * r + 8.3334519073e-3f) * r + 4.1665795894e-2f) * r
                   + 1.6666665459e-1f) * r + 5.0000001201e-1f;
  const float half = n * 0.5f + 12582912.0f, rest = (n - (half - 12582912.0f)) + 12582912.0f;
  const uint32_t h = to_bits(half) - 0x4B400000u;
  const float s = of_bits((to_bits(rest) - 0x4B400000u + 127u) << 23);
  return of_bits((h + 127u) << 23) * (s * (r + r * r * p) + (s - of_bits((127u - h) << 23)));
}
