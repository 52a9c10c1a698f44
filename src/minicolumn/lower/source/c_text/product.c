/* out = x W, W laid out in panels of 32 columns, then single ones. A panel's sums are kept in registers while its
 * rows are read one after the other; a single column is added up in 32 sums side by side. */
static inline ALWAYS_INLINE void panels_LETTERS(const TYPE *const x, const TYPE *w, TYPE *out, const int32_t inner,
                                                int32_t columns) {
  for (; columns >= 32; columns -= 32, out += 32) {
    TYPE s[32] = {0};
    for (int32_t i = 0; i < inner; ++i, w += 32) {
      const TYPE part = x[i];
      for (int32_t j = 0; j < 32; ++j) s[j] += part * w[j];
    }
    for (int32_t j = 0; j < 32; ++j) out[j] = s[j];
  }
  for (; columns > 0; --columns, ++out) {
    TYPE s[32] = {0};
    int32_t left = inner;
    const TYPE *y = x;
    for (; left >= 32; left -= 32, y += 32, w += 32) {
      for (int32_t j = 0; j < 32; ++j) s[j] += y[j] * w[j];
    }
    for (int32_t j = 0; j < left; ++j) s[j] += y[j] * *w++;
    for (int32_t half = 16; half > 0; half /= 2) {
      for (int32_t j = 0; j < half; ++j) s[j] += s[j + half];
    }
    *out = s[0];
  }
}
#ifdef BY_PROCESSOR
__attribute__((target("avx2"))) static void wide_LETTERS(const TYPE *const x, const TYPE *const w, TYPE *const out,
                                                         const int32_t inner, const int32_t columns) {
  panels_LETTERS(x, w, out, inner, columns);
}
#endif
static void product_LETTERS(const TYPE *const x, const TYPE *const w, TYPE *const out, const int32_t inner,
                            const int32_t columns) {
#ifdef BY_PROCESSOR
  if (__builtin_cpu_supports("avx2")) {
    wide_LETTERS(x, w, out, inner, columns);
    return;
  }
#endif
  panels_LETTERS(x, w, out, inner, columns);
}
