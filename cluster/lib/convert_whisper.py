"""Converts Whisper weights from CTranslate2's format (float16) to the ggml format that whisper.cpp loads.

usage: convert_whisper.py FOLDER OUT.bin      FOLDER holds model.bin and vocabulary.json; needs numpy only

The numbers are copied bit for bit; only names, order and container change. Sources: CTranslate2's model_reader.cc for the
input, whisper.cpp's convert-pt-to-ggml.py for the output, and Slaney's mel scale (as in librosa) for the filter bank.
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np

DTYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
GGML_MAGIC = 0x67676D6C
HEAD_SIZE = 64


class Weights:
    """Named arrays of a CTranslate2 model file. Aliases point at arrays that are stored once."""

    def __init__(self, path):
        self.file = open(path, "rb")
        self.number("I")  # version of the container
        spec = self.text()
        if spec != "WhisperSpec":
            raise SystemExit(f"{path} holds a {spec}, not Whisper weights")
        self.number("I")  # revision of the spec
        self.arrays = {}
        for _ in range(self.number("I")):
            name = self.text()
            shape = [self.number("I") for _ in range(self.number("B"))]
            dtype = DTYPES[self.number("B")]
            data = self.file.read(self.number("I"))
            self.arrays[name] = np.frombuffer(data, dtype=dtype).reshape(shape)
        self.aliases = {}
        for _ in range(self.number("I")):
            alias = self.text()
            self.aliases[alias] = self.text()

    def number(self, code):
        return struct.unpack("<" + code, self.file.read(struct.calcsize("<" + code)))[0]

    def text(self):
        return self.file.read(self.number("H"))[:-1].decode()

    def __getitem__(self, name):
        return self.arrays[self.aliases.get(name, name)]

    def layers(self, side):
        """How many layers `encoder` or `decoder` has."""
        prefix = f"{side}/layer_"
        names = [n for n in self.arrays if n.startswith(prefix) and not n.startswith(prefix + "norm")]
        return len({n.split("/")[1] for n in names})


def renamed(weights):
    """The tensors under the names that whisper.cpp looks for, in its order."""
    out = {}

    def linear(target, source, bias=True):
        out[target + ".weight"] = weights[source + "/weight"]
        if bias:
            out[target + ".bias"] = weights[source + "/bias"]

    def norm(target, source):
        out[target + ".weight"] = weights[source + "/gamma"]
        out[target + ".bias"] = weights[source + "/beta"]

    embedding = weights["decoder/embeddings/weight"]
    width = embedding.shape[1]
    out["encoder.positional_embedding"] = weights["encoder/position_encodings/encodings"]
    linear("encoder.conv1", "encoder/conv1")
    linear("encoder.conv2", "encoder/conv2")
    norm("encoder.ln_post", "encoder/layer_norm")
    out["decoder.positional_embedding"] = weights["decoder/position_encodings/encodings"]
    out["decoder.token_embedding.weight"] = embedding
    norm("decoder.ln", "decoder/layer_norm")
    for side in ("encoder", "decoder"):
        for i in range(weights.layers(side)):
            block, layer = f"{side}.blocks.{i}", f"{side}/layer_{i}"
            norm(f"{block}.attn_ln", f"{layer}/self_attention/layer_norm")
            # CTranslate2 stacks query, key and value; Whisper's key has no bias.
            stacked, biases = (weights[f"{layer}/self_attention/linear_0/{part}"] for part in ("weight", "bias"))
            for n, part in enumerate(("query", "key", "value")):
                out[f"{block}.attn.{part}.weight"] = stacked[n * width : (n + 1) * width]
                if part != "key":
                    out[f"{block}.attn.{part}.bias"] = biases[n * width : (n + 1) * width]
            linear(f"{block}.attn.out", f"{layer}/self_attention/linear_1")
            if side == "decoder":
                cross, attention = f"{block}.cross_attn", f"{layer}/attention"
                norm(f"{block}.cross_attn_ln", f"{attention}/layer_norm")
                linear(f"{cross}.query", f"{attention}/linear_0")
                stacked, biases = weights[f"{attention}/linear_1/weight"], weights[f"{attention}/linear_1/bias"]
                out[f"{cross}.key.weight"] = stacked[:width]
                out[f"{cross}.value.weight"], out[f"{cross}.value.bias"] = stacked[width:], biases[width:]
                linear(f"{cross}.out", f"{attention}/linear_2")
            norm(f"{block}.mlp_ln", f"{layer}/ffn/layer_norm")
            linear(f"{block}.mlp.0", f"{layer}/ffn/linear_0")
            linear(f"{block}.mlp.2", f"{layer}/ffn/linear_1")
    return out


def mel_filters(count, sample_rate=16000, fft=400):
    frequencies = np.linspace(0, sample_rate / 2, fft // 2 + 1)

    def hertz(mel):
        return np.where(mel >= 15, 1000 * np.exp((np.log(6.4) / 27) * (mel - 15)), mel * (200 / 3))

    top = 15 + np.log(sample_rate / 2 / 1000) / (np.log(6.4) / 27)
    points = hertz(np.linspace(0, top, count + 2))
    slopes, distance = np.diff(points), points[:, None] - frequencies
    triangles = np.minimum(-distance[:-2] / slopes[:-1, None], distance[2:] / slopes[1:, None])
    return (np.maximum(0, triangles) * (2 / (points[2:] - points[:-2]))[:, None]).astype(np.float32)


def token_bytes(vocabulary):
    """The byte string of every plain token, undoing GPT-2's printable alphabet."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {chr(byte): byte for byte in printable}
    hidden = (byte for byte in range(256) if byte not in printable)
    letters.update({chr(256 + n): byte for n, byte in enumerate(hidden)})
    plain = vocabulary[: vocabulary.index("<|endoftext|>")]
    return [bytes(letters[letter] for letter in token) for token in plain]


def write(path, weights, vocabulary):
    tensors, tokens = renamed(weights), token_bytes(vocabulary)
    embedding = tensors["decoder.token_embedding.weight"]
    vocabulary_size, width = embedding.shape
    mels = weights["encoder/conv1/weight"].shape[1]
    audio_context = tensors["encoder.positional_embedding"].shape[0]
    text_context = tensors["decoder.positional_embedding"].shape[0]
    heads = width // HEAD_SIZE
    header = (GGML_MAGIC, vocabulary_size, audio_context, width, heads, weights.layers("encoder"))
    header += (text_context, width, heads, weights.layers("decoder"), mels, 1)
    with open(path, "wb") as out:
        out.write(struct.pack("12i", *header))
        filters = mel_filters(mels)
        out.write(struct.pack("2i", *filters.shape) + filters.tobytes())
        out.write(struct.pack("i", len(tokens)))
        for token in tokens:
            out.write(struct.pack("i", len(token)) + token)
        for name, array in tensors.items():
            array = np.ascontiguousarray(array)
            is_conv_bias = name in ("encoder.conv1.bias", "encoder.conv2.bias")
            if is_conv_bias:
                array = array.reshape(-1, 1)
            is_half = not (array.ndim < 2 or name.endswith("positional_embedding") or is_conv_bias)
            array = array.astype(np.float16 if is_half else np.float32)
            out.write(struct.pack("3i", array.ndim, len(name.encode()), int(is_half)))
            out.write(struct.pack(f"{array.ndim}i", *array.shape[::-1]))
            out.write(name.encode() + array.tobytes())
    print(f"{path}: {len(tensors)} tensors, {len(tokens)} tokens, width {width}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    folder = Path(sys.argv[1])
    write(sys.argv[2], Weights(folder / "model.bin"), json.loads((folder / "vocabulary.json").read_text("utf-8")))
