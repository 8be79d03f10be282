import ArgumentParser
import HTTPClient

/// Whose certificates are trusted, on every command that asks nodes.
struct TrustChoice: ParsableArguments {
    @Option(
        name: .customLong("ca"),
        help: ArgumentHelp(
            "PEM file of the authorities that a node's certificate may come from, in place of the system's. Otherwise "
                + "TIJERA_CA is used.", valueName: "file"))
    var authoritiesFile: String?

    /// - Parameter local: the file of the cluster that runs here, for when nobody names one.
    func authorities(
        _ environment: [String: String], otherwise local: String? = nil
    ) throws -> TrustedAuthorities? {
        let named = environment["TIJERA_CA"].flatMap { $0.isEmpty ? nil : $0 }
        guard let path = authoritiesFile ?? named ?? local else { return nil }
        do { return try TrustedAuthorities(path: path) } catch { throw ValidationError(error.advice) }
    }
}

extension HTTPClientError {
    /// What happened and, where a certificate is the reason, what to do.
    var advice: String {
        distrust.map { "\(description). \($0.hint(option: "--ca FILE (or TIJERA_CA)"))" } ?? description
    }
}
