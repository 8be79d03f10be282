import CCurl

/// A URL in its parts, taken apart by the library that will follow it: two readers of one URL are how filters are
/// passed.
package struct WebAddress: Hashable, Sendable {
    package let scheme: String
    package let host: String
    package let port: Int
    /// Still escaped.
    package let path: String
    package let hasCredentials: Bool

    /// Nil when it is no URL with a host.
    package init?(_ text: String) {
        // Sound: the handle and every part stay in this function, and are freed by it.
        guard let handle = unsafe curl_url() else { return nil }
        defer { unsafe curl_url_cleanup(handle) }
        guard unsafe curl_url_set(handle, CURLUPART_URL, text, 0) == CURLUE_OK else { return nil }
        func part(_ which: CURLUPart, _ flags: UInt32 = 0) -> String? {
            var found: UnsafeMutablePointer<CChar>?
            guard unsafe curl_url_get(handle, which, &found, flags) == CURLUE_OK, let found = unsafe found else {
                return nil
            }
            defer { unsafe curl_free(found) }
            return unsafe String(cString: found)
        }
        guard let scheme = part(CURLUPART_SCHEME), let host = part(CURLUPART_HOST), !host.isEmpty,
            let port = part(CURLUPART_PORT, UInt32(CURLU_DEFAULT_PORT)).flatMap({ Int($0) })
        else { return nil }
        self.scheme = scheme.lowercased()
        self.host = host
        self.port = port
        path = part(CURLUPART_PATH) ?? "/"
        hasCredentials = part(CURLUPART_USER) != nil || part(CURLUPART_PASSWORD) != nil
    }
}
