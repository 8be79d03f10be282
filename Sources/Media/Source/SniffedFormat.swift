/// What a file is, told from its bytes alone.
package enum SniffedFormat: String, Sendable, Hashable, Codable, CaseIterable {
    // Containers that can hold a video.
    case mp4, quickTime, matroska, webM, avi, mpegTransportStream, mpegProgramStream, ogg, flv, asf

    // Sound without picture.
    case mp3, wav, flac, aac, m4a, oggSound, aiff, amr

    // Everything else that people upload by mistake, or not by mistake.
    case text, playlist, image, archive, document, executable

    /// Why a file of this kind is not taken; nil for those that go on to the prober.
    package var refusal: MediaError.Code? {
        switch self {
        case .mp4, .quickTime, .matroska, .webM, .avi, .mpegTransportStream, .mpegProgramStream, .ogg, .flv, .asf: nil
        case .mp3, .wav, .flac, .aac, .m4a, .oggSound, .aiff, .amr: .noVideoStream
        case .text: .textFile
        case .playlist: .playlistFile
        case .image: .imageFile
        case .archive: .archiveFile
        case .document: .documentFile
        case .executable: .executableFile
        }
    }
}
