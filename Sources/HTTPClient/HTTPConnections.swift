import CCurl
import Synchronization

/// Connections that stay open between transfers. Each belongs to one libcurl handle, which one transfer at a time uses,
/// so that no two threads ever meet inside libcurl.
package final class HTTPConnections: Sendable {
    /// Handles at rest, as addresses, because a pointer may not leave a lock.
    private let resting = Mutex<[UInt]>([])
    private let restingMax: Int

    /// - Parameter restingMax: handles kept while nothing is transferred; more are closed.
    package init(restingMax: Int = 16) { self.restingMax = restingMax }

    deinit {
        for address in resting.withLock({ $0 }) {
            // Sound: whoever put it here has ended with it.
            unsafe curl_easy_cleanup(UnsafeMutableRawPointer(bitPattern: address))
        }
    }

    /// A handle that rested, without options and with its connections; nil: none did.
    func take() -> UnsafeMutableRawPointer? {
        guard let address = resting.withLock({ $0.popLast() }) else { return nil }
        return unsafe UnsafeMutableRawPointer(bitPattern: address)
    }

    /// Takes a handle over from the thread that has ended with it.
    func give(_ handle: UnsafeMutableRawPointer) {
        // Sound: no transfer runs on it; what it pointed to is not used after this.
        unsafe curl_easy_reset(handle)
        let address = UInt(bitPattern: handle)
        let isKept = resting.withLock { resting in
            guard resting.count < restingMax else { return false }
            resting.append(address)
            return true
        }
        if !isKept { unsafe curl_easy_cleanup(handle) }
    }
}
