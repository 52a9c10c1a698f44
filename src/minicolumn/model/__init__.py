"""Trained models: inference, evaluation, and serialization to one safetensors file.

    Model        network, weights and preprocessing; predict, evaluate, save
    ClassifierModel  of a saved `MLPClassifier`: answers with labels
    load         a model from its file, without running anything in it
    artifact     what a file holds, field by field; container: the bytes

Differs     PyTorch, scikit-learn and joblib keep models as pickles, which run code as they load.
"""

from minicolumn.model.classifier import ClassifierModel
from minicolumn.model.model import Model, load

__all__ = ["ClassifierModel", "Model", "load"]
