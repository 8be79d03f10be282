import Glibc
import NIOCore
import NIOPosix
import WireProtocol

/// The addresses of one name for one dial, those of either family from `turn` on.
///
/// A name may stand for the whole cluster (a headless service, a list of seeds), and the C library sorts its addresses
/// by nearness (RFC 6724): the nearest is always the one of the machine that asks. A node that began with it at each
/// dial would reach nobody but itself, so each dial begins with another one.
final class NameLookup: Resolver, Sendable {
    private let found: EventLoopFuture<[SocketAddress]>
    private let turn: AddressTurn

    /// Looks up at once, on a thread that may wait: resolvers take seconds when no server answers.
    init(_ host: String, _ port: Int, _ turn: AddressTurn, on loop: any EventLoop) {
        self.turn = turn
        found = NIOThreadPool.singleton.runIfActive(eventLoop: loop) { try Self.addresses(host, port) }
    }

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> { of(.inet) }
    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> { of(.inet6) }

    /// `getaddrinfo` cannot be cut short; nobody waits for it any more.
    func cancelQueries() {}

    private func of(_ family: NIOBSDSocket.ProtocolFamily) -> EventLoopFuture<[SocketAddress]> {
        found.map { [turn] addresses in turn.order(addresses.filter { $0.protocol == family }) }
    }

    private static func addresses(_ host: String, _ port: Int) throws -> [SocketAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        // Strings and hints live for the length of the call; the list is ours and freed below.
        let code = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            throw PeerConnectError.unreachable(detail: "\(host) has no address (getaddrinfo says \(code))")
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next?.pointee {
            unsafe next = entry.ai_next
            guard let address = unsafe UnsafeRawPointer(entry.ai_addr) else { continue }
            // The family says which of the two structures the entry points at.
            switch unsafe entry.ai_family {
            case AF_INET:
                addresses.append(SocketAddress(unsafe address.loadUnaligned(as: sockaddr_in.self), host: host))
            case AF_INET6:
                addresses.append(SocketAddress(unsafe address.loadUnaligned(as: sockaddr_in6.self), host: host))
            default: break
            }
        }
        return addresses
    }
}

/// With which of its addresses a dial to a name begins. The others follow in their order.
///
/// Steps of the golden ratio visit every place about equally often, whichever of the dials are to this name: with steps
/// of one, of two names that are dialled in turn each would see every other address only.
package struct AddressTurn: Hashable, Sendable {
    private static let goldenRatio: UInt64 = 0x9E37_79B9_7F4A_7C15
    private let position: UInt64

    package init(_ dial: Int) { position = UInt64(truncatingIfNeeded: dial) &* Self.goldenRatio }

    package func order<Address>(_ addresses: [Address]) -> [Address] {
        guard addresses.count > 1 else { return addresses }
        let first = Int(position.multipliedFullWidth(by: UInt64(addresses.count)).high)
        return Array(addresses[first...] + addresses[..<first])
    }
}
