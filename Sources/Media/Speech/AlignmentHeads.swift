import CWhisper
import SystemPackage

/// Which of a model's attention heads follow the sound. Word times come from them, and they differ from model to model:
/// the wrong set gives times that are off by seconds, or a crash when it names a layer that the model does not have.
package struct AlignmentHeads: Hashable, Sendable {
    /// The family of a model.
    package enum Family: String, Sendable, CaseIterable {
        case tiny, base, small, medium, largeV1, largeV2, largeV3, largeV3Turbo
        /// Distilled or unknown: the top layers are a fair guess.
        case other
    }

    package let family: Family
    package let isEnglishOnly: Bool
    package let textLayers: Int

    /// What the first 48 bytes of a ggml model file say, and its name where they leave it open (`v1` and `v2` of large
    /// have the same dimensions). Nil when it is not a ggml model.
    package init?(header: [UInt8], fileName: String) {
        guard header.count >= 48 else { return nil }
        let fields = (0..<12).map { field in
            (0..<4).reduce(0) { $0 | Int(header[4 * field + $1]) << (8 * $1) }
        }
        guard fields[0] == 0x6767_6d6c else { return nil }
        let (vocabulary, audioLayers) = (fields[1], fields[5])
        textLayers = fields[9]
        // The multilingual vocabulary has one token more than the English one; the third version of large, two.
        isEnglishOnly = vocabulary < 51865
        family =
            switch (audioLayers, textLayers) {
            case (4, 4): .tiny
            case (6, 6): .base
            case (12, 12): .small
            case (24, 24): .medium
            case (32, 32) where vocabulary > 51865: .largeV3
            case (32, 32): fileName.contains("v1") ? .largeV1 : .largeV2
            case (32, 4) where vocabulary > 51865: .largeV3Turbo
            default: .other
            }
    }

    package init(modelAt path: String) throws(MediaError) {
        let header: [UInt8]
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
            header = try file.closeAfter {
                try unsafe Array(unsafeUninitializedCapacity: 48) { buffer, filled in
                    // Sound: reads at most the capacity that was asked for.
                    filled = try unsafe file.read(into: UnsafeMutableRawBufferPointer(buffer))
                }
            }
        } catch {
            throw MediaError(.speechModelMissing, "\(error)")
        }
        guard let heads = AlignmentHeads(header: header, fileName: FilePath(path).lastComponent?.string ?? "") else {
            throw MediaError(.speechModelBroken, "not a ggml model")
        }
        self = heads
    }

    /// As whisper.cpp names it.
    var preset: whisper_alignment_heads_preset {
        switch family {
        case .tiny: isEnglishOnly ? WHISPER_AHEADS_TINY_EN : WHISPER_AHEADS_TINY
        case .base: isEnglishOnly ? WHISPER_AHEADS_BASE_EN : WHISPER_AHEADS_BASE
        case .small: isEnglishOnly ? WHISPER_AHEADS_SMALL_EN : WHISPER_AHEADS_SMALL
        case .medium: isEnglishOnly ? WHISPER_AHEADS_MEDIUM_EN : WHISPER_AHEADS_MEDIUM
        case .largeV1: WHISPER_AHEADS_LARGE_V1
        case .largeV2: WHISPER_AHEADS_LARGE_V2
        case .largeV3: WHISPER_AHEADS_LARGE_V3
        case .largeV3Turbo: WHISPER_AHEADS_LARGE_V3_TURBO
        case .other: WHISPER_AHEADS_N_TOP_MOST
        }
    }

    /// Half of the layers, for `WHISPER_AHEADS_N_TOP_MOST`: the alignment heads of all known models lie there.
    var topLayers: Int32 { Int32(max(1, textLayers / 2)) }
}
