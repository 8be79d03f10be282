/// What the ending of a file's name promises, held against what the file is.
///
/// A wrong name is common and harmless: phones call QuickTime `.mp4`, recorders call Matroska `.webm`. It is read as
/// what it is, and the client is told, because other programs may go by the name.
package enum DeclaredType {
    /// Whether a file of this name may well be of this format. A name without an ending, or with one that says nothing
    /// of video, promises nothing.
    package static func agrees(_ fileName: String, with format: SniffedFormat) -> Bool {
        guard let dot = fileName.lastIndex(of: ".") else { return true }
        let ending = fileName[fileName.index(after: dot)...].lowercased()
        return families[ending]?.contains(format) ?? true
    }

    private static let families: [String: Set<SniffedFormat>] = {
        let base: Set<SniffedFormat> = [.mp4, .quickTime]
        let matroska: Set<SniffedFormat> = [.matroska, .webM]
        let mpeg: Set<SniffedFormat> = [.mpegProgramStream, .mpegTransportStream]
        var families: [String: Set<SniffedFormat>] = [:]
        for ending in ["mp4", "m4v", "mov", "qt", "3gp", "3g2"] { families[ending] = base }
        for ending in ["mkv", "webm", "mk3d"] { families[ending] = matroska }
        for ending in ["mpg", "mpeg", "vob", "ts", "m2ts", "mts", "m2v"] { families[ending] = mpeg }
        for ending in ["ogv", "ogg", "ogm"] { families[ending] = [.ogg] }
        for ending in ["wmv", "asf"] { families[ending] = [.asf] }
        (families["avi"], families["flv"]) = ([.avi], [.flv])
        for ending in ["mp3", "wav", "flac", "aac", "m4a", "aiff", "amr", "txt", "zip", "jpg", "png", "pdf", "exe"] {
            families[ending] = []
        }
        return families
    }()
}
