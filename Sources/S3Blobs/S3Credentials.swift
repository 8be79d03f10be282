package import ClipModel

/// Who we are to the service.
package struct S3Credentials: Sendable, Hashable, CustomStringConvertible {
    package let accessKey: String
    package let secretKey: String
    package let sessionToken: String?
    /// Nil: good until somebody changes them.
    package let expiresAt: Timestamp?

    package init(accessKey: String, secretKey: String, sessionToken: String? = nil, expiresAt: Timestamp? = nil) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
        self.expiresAt = expiresAt
    }

    /// Never the secret.
    package var description: String { "access key \(accessKey)" }
}
