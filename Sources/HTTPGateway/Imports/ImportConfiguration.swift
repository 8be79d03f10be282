package import HTTPClient

/// How videos are fetched from addresses that clients name.
///
/// | field | unit | default | the accident it prevents |
/// |---|---|---|---|
/// | `addresses` | networks | the public internet | a stranger reads what only this node can reach |
/// | `ports` | ports | 80, 443 | a stranger knocks at doors of others through this node |
/// | `redirectsMax` | count | 5 | an address that leads in circles |
/// | `secondsMax` | seconds | 3600 | a sender that drips holds a place for ever |
/// | `bytesPerSecondMin` | bytes a second, over 30 s | 1024 | the same, sooner |
/// | `concurrentMax` | imports of this node | 4 | imports take the whole line |
package struct ImportConfiguration: Sendable {
    package var addresses: AddressGuard
    package var ports: Set<Int>
    package var redirectsMax: Int
    package var secondsMax: Int
    package var bytesPerSecondMin: Int
    package var concurrentMax: Int

    package init(
        addresses: AddressGuard = AddressGuard(), ports: Set<Int> = [80, 443], redirectsMax: Int = 5,
        secondsMax: Int = 3600, bytesPerSecondMin: Int = 1024, concurrentMax: Int = 4
    ) {
        precondition(redirectsMax >= 0 && secondsMax > 0 && concurrentMax > 0, "limits must be positive")
        precondition(bytesPerSecondMin >= 0, "a sender cannot send less than nothing")
        self.addresses = addresses
        self.ports = ports
        self.redirectsMax = redirectsMax
        self.secondsMax = secondsMax
        self.bytesPerSecondMin = bytesPerSecondMin
        self.concurrentMax = concurrentMax
    }
}
