import Synchronization

/// Holds the credentials in force, and exchanges them when the files change.
final class CredentialKeeper: Sendable {
    enum Outcome: Sendable {
        case unchanged
        /// New credentials are in force for every handshake from now on.
        case replaced(Credentials)
        /// The files changed into something unusable; what was in force stays. `isNews` is false when that was said of
        /// the same files before.
        case kept(TLSTransportError, isNews: Bool)
    }

    private struct State {
        var current: Credentials
        var stamps: [FileStamp?]
        var broken: [FileStamp?]?
    }

    let files: CredentialFiles
    private let configuration: TLSTransportConfiguration
    private let secondsSince1970: @Sendable () -> Int
    private let state: Mutex<State>

    init(
        _ files: CredentialFiles, _ configuration: TLSTransportConfiguration,
        secondsSince1970: @escaping @Sendable () -> Int
    ) throws(TLSTransportError) {
        self.files = files
        self.configuration = configuration
        self.secondsSince1970 = secondsSince1970
        // Before reading: a file that changes meanwhile has a newer stamp and is read again.
        let stamps = files.stamps()
        let current = try Credentials(files, configuration, secondsSince1970: secondsSince1970())
        state = Mutex(State(current: current, stamps: stamps))
    }

    var current: Credentials { state.withLock { $0.current } }

    /// Looks at the files, and reads them when they are not those of the last time.
    ///
    /// Certificate and key are two files, and are replaced one after the other: in between they do not match, which is
    /// why files that could not be used are tried again at every look until they can.
    func look() -> Outcome {
        let stamps = files.stamps()
        guard state.withLock({ $0.stamps != stamps }) else { return .unchanged }
        do {
            let fresh = try Credentials(files, configuration, secondsSince1970: secondsSince1970())
            state.withLock { $0 = State(current: fresh, stamps: stamps) }
            return .replaced(fresh)
        } catch {
            let isNews = state.withLock { state in
                defer { state.broken = stamps }
                return state.broken != stamps
            }
            return .kept(error, isNews: isNews)
        }
    }
}
