/** Settings that are known to work, each to watch one thing. */
export const PRESETS = [
  {
    name: "circle",
    setup: { dataset: "circle", units: [3], activations: ["tanh"], optimizer: "adam", learning_rate: 0.03 },
  },
  { name: "linear", setup: { dataset: "xor", units: [], activations: ["tanh"], learning_rate: 0.03 } },
  { name: "product", setup: { dataset: "xor", features: ["x1*x2"], units: [], learning_rate: 0.03 } },
  {
    name: "spiral",
    setup: {
      dataset: "spiral",
      units: [16, 16],
      activations: ["relu"],
      optimizer: "adam",
      learning_rate: 0.01,
    },
  },
  {
    name: "classes",
    setup: { dataset: "blobs", units: [6], activations: ["tanh"], optimizer: "adam", learning_rate: 0.03 },
  },
  {
    name: "overfit",
    setup: {
      dataset: "gauss",
      noise: 50,
      points: 60,
      units: [32, 32],
      activations: ["relu"],
      optimizer: "adam",
      learning_rate: 0.01,
      show_test: true,
    },
  },
  {
    name: "sparse",
    setup: {
      dataset: "gauss",
      features: ["x1", "x2", "x1^2", "x2^2", "x1*x2", "sin(x1)", "sin(x2)"],
      units: [4],
      regularization: "l1",
      regularization_rate: 0.01,
    },
  },
  {
    name: "bumps",
    setup: {
      dataset: "multi_gauss",
      points: 1200,
      units: [12, 8],
      activations: ["tanh"],
      optimizer: "adam",
      learning_rate: 0.01,
    },
  },
  {
    name: "diverge",
    setup: { dataset: "multi_gauss", points: 1200, units: [8, 8], activations: ["relu"], learning_rate: 10 },
  },
];
