/* log(1 + e^x) for x <= 0: log(1 + e) = 2 artanh(e / (e + 2)), whose series in z^2 <= 1/9 is short. */
static inline float log1p_exp_f32(const float x) {
  const float e = exp_f32(x), z = e / (e + 2.0f), q = z * z;
  const float series = (((((q * 0.0769230769f + 0.0909090909f) * q + 0.111111111f) * q + 0.142857143f) * q + 0.2f) * q
                        + 0.333333333f) * q;
  return 2.0f * (z + z * series);
}
