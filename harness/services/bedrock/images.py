"""Images: Stability (SDXL and later), Titan Image Generator and Nova Canvas.

Payload of a request: {"prompt": str, "negative_prompt": str | None, "image": base64 | None}. Tasks other than drawing
from a text (inpainting, removing a background) are kept as the body they came in.
Source: Bedrock user guide, "Stability AI models", "Amazon Titan Image Generator G1 models"; Nova user guide,
"Generating images"; wire contracts D.5.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from harness.core.call import Reading
from harness.core.case import Json, Request, Task
from harness.core.output import Images
from harness.errors import UnencodableRequest
from harness.services._chat import NoAnswer, finished, objects, put, reading, table, take

_AMAZON = {
    "n": "imageGenerationConfig.numberOfImages",
    "quality": "imageGenerationConfig.quality",
    "guidance": "imageGenerationConfig.cfgScale",
    "seed": "imageGenerationConfig.seed",
    "style": "textToImageParams.style",
}
_SDXL = {
    "n": "samples",
    "guidance": "cfg_scale",
    "seed": "seed",
    "steps": "steps",
    "style": "style_preset",
    "strength": "image_strength",
}
_STABILITY = {
    "seed": "seed",
    "aspect_ratio": "aspect_ratio",
    "strength": "strength",
    "style": "style_preset",
}
_DRAW = "TEXT_IMAGE"


def read(body: dict[str, Any], family: str) -> Request:
    """A recorded body as a request of task "image"; a body with another task stays whole."""
    whole = dict(body)
    match family:
        case "titan_image":
            read_one = _read_amazon(body)
        case "sdxl":
            read_one = _read_sdxl(body)
        case _:
            read_one = _read_stability(body)
    if read_one is None:
        return Request(Task.IMAGE, {"body": whole}, {})
    payload, params = read_one
    if body:
        params["extra"] = body
    return Request(Task.IMAGE, {name: value for name, value in payload.items() if value is not None}, params)


def write(request: Request, left: dict[str, Any], family: str) -> dict[str, Any]:
    """The body. left: params, used up. Raises UnencodableRequest for what it cannot say."""
    payload = table(request.payload)
    prompt, negative, image = (payload.get(name) for name in ("prompt", "negative_prompt", "image"))
    if not isinstance(prompt, str):
        raise UnencodableRequest("the payload of an image has no prompt.")
    body: dict[str, Any]
    match family:
        case "titan_image":
            if image is not None:
                raise UnencodableRequest("Titan and Nova draw from a text alone in this form (image).")
            body = {"taskType": _DRAW, "textToImageParams": _said(text=prompt, negativeText=negative)}
            put(body, left, _AMAZON)
            _put_size(body.setdefault("imageGenerationConfig", {}), left)
            if not body["imageGenerationConfig"]:
                del body["imageGenerationConfig"]
        case "sdxl":
            prompts = [{"text": prompt}, *([] if negative is None else [{"text": negative, "weight": -1}])]
            body = {"text_prompts": prompts, **_said(init_image=image)}
            put(body, left, _SDXL)
            _put_size(body, left)
        case "stability":
            mode = "text-to-image" if image is None else "image-to-image"
            body = {"prompt": prompt, "mode": mode, **_said(negative_prompt=negative, image=image)}
            put(body, left, _STABILITY)
            if "image_format" in left:
                body["output_format"] = left.pop("image_format")
        case _:
            raise UnencodableRequest(f'bodies of family "{family}" ask for no image.')
    return finished(body, left, family)


def answer(body: dict[str, Any]) -> Reading:
    """Titan, Nova, Stability: `images`; SDXL: `artifacts`. Raises NoAnswer."""
    if isinstance(body.get("artifacts"), list):
        artifacts = objects(body["artifacts"])
        shown = [one for one in artifacts if one.get("finishReason") not in ("CONTENT_FILTERED", "ERROR")]
        withheld = sum(one.get("finishReason") == "CONTENT_FILTERED" for one in artifacts)
        return reading(Images(images=tuple(_bytes(one.get("base64")) for one in shown), filtered=withheld))
    reasons, coded = body.get("finish_reasons"), body.get("images")
    found = coded if isinstance(coded, list) else []
    if not found and not isinstance(reasons, list) and not isinstance(body.get("error"), str):
        raise NoAnswer("it holds no images")
    filtered = sum(_is_filter(one) for one in reasons) if isinstance(reasons, list) else 0
    if isinstance(body.get("error"), str) and not filtered:
        # Titan and Nova say in words that images were withheld, and not how many.
        filtered = 1
    return reading(Images(images=tuple(_bytes(one) for one in found if one is not None), filtered=filtered))


def _is_filter(reason: Any) -> bool:
    return isinstance(reason, str) and reason.lower().startswith("filter reason")


def _bytes(coded: Any) -> bytes:
    try:
        return base64.b64decode(coded, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise NoAnswer("an image is not base64") from None


def _read_amazon(body: dict[str, Any]) -> tuple[dict[str, Json], dict[str, Json]] | None:
    if body.get("taskType") != _DRAW or not isinstance(table(body.get("textToImageParams")).get("text"), str):
        return None
    del body["taskType"]
    places = {"prompt": "textToImageParams.text", "negative_prompt": "textToImageParams.negativeText"}
    payload, params = take(body, places), take(body, _AMAZON)
    _take_size(body, params, "imageGenerationConfig.")
    return payload, params


def _read_sdxl(body: dict[str, Any]) -> tuple[dict[str, Json], dict[str, Json]] | None:
    match body.get("text_prompts"):
        case [{"text": str(prompt), **more}] if more in ({}, {"weight": 1}):
            payload: dict[str, Json] = {"prompt": prompt}
        case [{"text": str(prompt), **more}, {"text": str(negative), "weight": -1, **less}] if (
            more in ({}, {"weight": 1}) and not less
        ):
            payload = {"prompt": prompt, "negative_prompt": negative}
        case _:
            return None
    del body["text_prompts"]
    payload |= take(body, {"image": "init_image"})
    params = take(body, _SDXL)
    _take_size(body, params, "")
    return payload, params


def _read_stability(body: dict[str, Any]) -> tuple[dict[str, Json], dict[str, Json]] | None:
    mode = "image-to-image" if "image" in body else "text-to-image"
    if not isinstance(body.get("prompt"), str) or body.get("mode", mode) != mode:
        return None
    body.pop("mode", None)
    payload = take(body, {"prompt": "prompt", "negative_prompt": "negative_prompt", "image": "image"})
    return payload, take(body, {**_STABILITY, "image_format": "output_format"})


def _take_size(body: dict[str, Any], params: dict[str, Json], place: str) -> None:
    inner = table(body.get(place.rstrip("."))) if place else body
    if isinstance(inner.get("width"), int) and isinstance(inner.get("height"), int):
        size = take(body, {"width": f"{place}width", "height": f"{place}height"})
        params["size"] = f"{size['width']}x{size['height']}"


def _put_size(body: dict[str, Any], left: dict[str, Any]) -> None:
    if "size" in left:
        width, _, height = str(left.pop("size")).partition("x")
        if not (width.isdecimal() and height.isdecimal()):
            raise UnencodableRequest('the size of an image is "WIDTHxHEIGHT".')
        body |= {"width": int(width), "height": int(height)}


def _said(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
