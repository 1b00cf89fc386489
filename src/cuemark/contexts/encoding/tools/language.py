"""Which language a text is in: py3langid's naive Bayes model over byte n-grams, deterministic."""

from collections.abc import Iterable

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from cuemark.contexts.encoding.model.validation.spoken import Guess, Guessed, letters_of


class LanguageReader:
    """Loading the model takes half a second and 80 MB: keep one for several texts, then let go."""

    def __init__(self) -> None:
        self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

    def read(self, parts: Iterable[str]) -> Guessed:
        """What languages a text in parts seems to be in."""
        several = list(parts)
        whole = " ".join(several)
        return Guessed(
            letters=letters_of(whole),
            whole=self._guess(whole),
            parts=[self._guess(part) for part in several],
            known=list(self._identifier.labels),
        )

    def _guess(self, text: str) -> Guess:
        language, sure = self._identifier.classify(text)
        return Guess(str(language), float(sure))
