"""Which model is meant where only a Python file is named."""

from __future__ import annotations

from pathlib import Path

from aipc.core.config import Config, load_config, locate
from aipc.core.errors import ModelLoadError
from aipc.source.model_sites import ModelSite, find_models
from aipc.source.parsing import syntax_error

_MOST_NAMES = 12


def the_model_of(model: str, cwd: Path) -> str:
    """``file.py`` as ``file.py:Net`` where it has one model; anything else as it is.

    Raises:
        ModelLoadError: the file has no model, or several; the remedy names them as they can be typed.
    """
    if Path(model).suffix != ".py" or not (path := locate(model, cwd)).is_file():
        return model
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelLoadError(f"{path} cannot be read: {error}", remedy="save it as UTF-8") from error
    if problem := syntax_error(text, model):
        raise ModelLoadError(f"syntax error in {problem}", remedy="correct the line")
    config = load_config(path.parent)
    sites = find_models(text, path, config)
    # A configured name is known where the command runs only if the same configuration holds there.
    by_name = load_config(cwd).root == config.root
    usable = [_typed(site, model, config, by_name) for site in sites if not site.part and not site.needs]
    if len(usable) == 1:
        return usable[0]
    if usable:
        more = f" and {len(usable) - _MOST_NAMES} more" if len(usable) > _MOST_NAMES else ""
        raise ModelLoadError(
            f"{model} has {len(usable)} models", remedy=f"name one of them: {', '.join(usable[:_MOST_NAMES])}{more}"
        )
    needs = [f"{site.title} needs {', '.join(site.needs)}" for site in sites if site.needs]
    if needs:
        raise ModelLoadError(
            f"no model of {model} can be built without arguments: {'; '.join(needs[:_MOST_NAMES])}",
            remedy=f"add a function that takes none and returns the model, and name it as {model}:that_function",
        )
    raise ModelLoadError(
        f"{model} declares no model: no nn.Module class, no function that returns one, no instance",
        remedy=f"write {model}:NAME if it has one that its text does not show",
    )


def _typed(site: ModelSite, model: str, config: Config, by_name: bool) -> str:
    """A model as it is typed on the command line."""
    if not site.configured:
        return f"{model}:{site.title}"
    return site.reference if by_name else f"{model}:{config.models[site.reference].entry.rpartition(':')[2]}"
