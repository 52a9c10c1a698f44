/* out = x W for weights of int8, a row and a scale for each output. The inputs become whole numbers of int16, of
 * which the largest is `most`; sums of int32 are exact. */
static void product_i8(const float *const x, const int8_t *w, const float *const scales, int16_t *const q,
                       float *const out, const int32_t inner, const int32_t columns, const float most) {
  float tops[8] = {0}, odd = 0, top = 0, inverse, step;
  int32_t i = 0;
  for (; i + 8 <= inner; i += 8) {
    for (int32_t j = 0; j < 8; ++j) {
      const float size = fabsf(x[i + j]);
      tops[j] = choose_f32(size > tops[j], size, tops[j]);
    }
  }
  for (; i < inner; ++i) tops[0] = fabsf(x[i]) > tops[0] ? fabsf(x[i]) : tops[0];
  for (int32_t j = 0; j < 8; ++j) top = tops[j] > top ? tops[j] : top;
  for (i = 0; i < inner; ++i) odd += x[i] - x[i];
  inverse = top > 1e-30f ? most / top : 0;
  step = top / most;
  for (i = 0; i < inner; ++i) {
    const float v = x[i] * inverse, above = choose_f32(v > -most, v, -most);
    const float steps = choose_f32(above < most, above, most);
    q[i] = (int16_t)(int32_t)(steps + choose_f32(steps >= 0, 0.5f, -0.5f));
  }
  for (int32_t k = 0; k < columns; ++k, w += inner) {
    int32_t total = 0;
    for (i = 0; i < inner; ++i) total += q[i] * (int16_t)w[i];
    out[k] = (float)total * (scales[k] * step) + odd;
  }
}
