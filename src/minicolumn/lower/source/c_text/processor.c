/* On x86-64 the wider registers of AVX2 are used where the processor has them: the same sums, to the bit.
 * -DNO_AVX2 leaves that out. */
#if defined(__GNUC__) && defined(__x86_64__) && !defined(__AVX2__) && !defined(NO_AVX2)
#define BY_PROCESSOR 1
#endif
#ifdef __GNUC__
#define ALWAYS_INLINE __attribute__((always_inline))
#else
#define ALWAYS_INLINE
#endif
