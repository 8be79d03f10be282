package import HTTPClient

/// How videos are fetched from addresses that clients name.
///
/// | field | unit | default | the accident it prevents |
/// |---|---|---|---|
/// | `addresses` | networks | the public internet | a stranger reads what only this node can reach |
/// | `ports` | ports | 80, 443 | a stranger knocks at doors of others through this node |
/// | `redirectsMax` | count | 5 | an address that leads in circles |
/// | `secondsMax` | seconds | 3600 | a sender that drips holds a place for ever |
/// | `concurrentMax` | imports of this node | 4 | imports take the whole line |
package struct ImportConfiguration: Sendable {
    package var addresses: AddressGuard
    package var ports: Set<Int>
    package var redirectsMax: Int
    package var secondsMax: Int
    package var concurrentMax: Int

    package init(
        addresses: AddressGuard = AddressGuard(), ports: Set<Int> = [80, 443], redirectsMax: Int = 5,
        secondsMax: Int = 3600, concurrentMax: Int = 4
    ) {
        precondition(redirectsMax >= 0 && secondsMax > 0 && concurrentMax > 0, "limits must be positive")
        self.addresses = addresses
        self.ports = ports
        self.redirectsMax = redirectsMax
        self.secondsMax = secondsMax
        self.concurrentMax = concurrentMax
    }
}
