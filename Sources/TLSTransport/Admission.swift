/// Who may have a slot: counts accepted connections by state and by address. Dialled ones are not counted.
package struct Admission: Sendable {
    package let connectionsMax: Int
    package let connectionsPerAddressMax: Int
    package let handshakesMax: Int
    package private(set) var connections = 0
    /// Those of `connections` that have not proved who they are.
    package private(set) var handshakes = 0
    private var byAddress: [String: Int] = [:]

    package init(_ configuration: TLSTransportConfiguration) {
        connectionsMax = configuration.connectionsMax
        connectionsPerAddressMax = configuration.connectionsPerAddressMax
        handshakesMax = configuration.handshakesMax
    }

    /// A connection came from `address` (without a port). Nil when it has a slot, which it must `leave` again.
    package mutating func enter(_ address: String) -> RefusedPeer? {
        if connections >= connectionsMax {
            return RefusedPeer(.tooManyConnections, "\(connections) are open, connectionsMax is \(connectionsMax)")
        }
        if byAddress[address, default: 0] >= connectionsPerAddressMax {
            return RefusedPeer(.tooManyFromAddress, "connectionsPerAddressMax is \(connectionsPerAddressMax)")
        }
        if handshakes >= handshakesMax {
            return RefusedPeer(.tooManyHandshakes, "\(handshakes) handshakes go on, handshakesMax is \(handshakesMax)")
        }
        connections += 1
        handshakes += 1
        byAddress[address, default: 0] += 1
        return nil
    }

    /// It has proved who it is.
    package mutating func prove() {
        precondition(handshakes > 0, "nobody was in a handshake")
        handshakes -= 1
    }

    package mutating func leave(_ address: String, hadProved: Bool) {
        precondition(connections > 0, "nobody was connected")
        connections -= 1
        if !hadProved { prove() }
        // An address without connections is forgotten, or the table would grow with every stranger.
        let left = byAddress[address, default: 1] - 1
        byAddress[address] = left > 0 ? left : nil
    }

    package var addresses: Int { byAddress.count }
}
