"""Newton's method by `mc.hessian`: logistic regression in a handful of steps.

    w -= H^-1 g,      g and H: the gradient and the Hessian of the penalised negative log-likelihood

The eigenvalues of H at the end also give the coefficients' standard errors.
"""

import numpy as np

import minicolumn as mc


def nll(w, X, y):
    """Return the negative log-likelihood of labels 0 and 1, with a small L2 penalty."""
    z = X @ w
    return np.sum(np.logaddexp(0.0, z) - y * z) + 0.5e-3 * np.sum(w**2)


gradient, hessian = mc.compile(mc.grad(nll)), mc.compile(mc.hessian(nll))


def main() -> tuple[np.ndarray, list[float]]:
    """Fit by Newton's method; return the coefficients and the gradient's length after each step."""
    rng = np.random.default_rng(0)
    X = np.column_stack([np.ones(500), rng.standard_normal((500, 3))])
    y = (rng.uniform(size=500) < 1.0 / (1.0 + np.exp(-X @ [0.5, 1.0, -2.0, 0.0]))).astype(float)
    w, lengths = np.zeros(4), []
    for step in range(1, 9):
        w = w - np.linalg.solve(hessian(w, X, y), gradient(w, X, y))
        lengths.append(float(np.linalg.norm(gradient(w, X, y))))
        print(f"step {step}   |gradient| {lengths[-1]:.1e}")
    errors = np.sqrt(np.diag(np.linalg.inv(hessian(w, X, y))))
    for true, found, error in zip([0.5, 1.0, -2.0, 0.0], w, errors, strict=True):
        print(f"{true:+.1f}   found {found:+.3f} +- {error:.3f}")
    return w, lengths


if __name__ == "__main__":
    main()
