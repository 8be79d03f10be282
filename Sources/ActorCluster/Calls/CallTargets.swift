package import Distributed
package import WireProtocol

/// What may be called on this node: a list of mangled names, each for one type of actor.
///
/// Nothing is found by reflection. A call names a function of the program, and a function that is not on the list does
/// not exist for the network, however it is declared. The list is the wire identity of a release: it is kept in a
/// golden file, its digest is compared in every handshake, and names travel as their places in it.
package struct CallTargets: Sendable {
    struct Target: Sendable {
        let name: String
        let actor: ObjectIdentifier
    }

    package let list: CallList
    /// In the order of `list`.
    private let targets: [Target]
    private let numbers: [String: UInt32]

    /// The targets of one type of actor.
    package struct Group: Sendable {
        fileprivate let targets: [Target]

        /// `names` are mangled names of distributed functions of `type`.
        ///
        /// A call runs the named function on the actor it names, and the runtime does not check that one belongs to the
        /// other: a name under the wrong type would be memory corruption on request. So each name has to begin with its
        /// type's, which is a mistake in the program otherwise.
        package init<Act: DistributedActor>(_ type: Act.Type, _ names: [String]) {
            guard let mangled = _mangledTypeName(type) else {
                preconditionFailure("\(type) has no mangled name")
            }
            targets = names.map { name in
                precondition(name.hasPrefix("$s\(mangled)"), "call target \(name) is not a function of \(type)")
                return Target(name: name, actor: ObjectIdentifier(type))
            }
        }
    }

    package init(_ groups: [Group] = []) {
        var byName: [String: Target] = [:]
        for target in groups.flatMap(\.targets) { byName[target.name] = target }
        let list = CallList(byName.keys)
        self.list = list
        targets = list.names.compactMap { byName[$0] }
        numbers = Dictionary(uniqueKeysWithValues: zip(list.names, UInt32(0)...))
    }

    /// The place of a name in the list.
    func number(of name: String) -> UInt32? { numbers[name] }

    /// What a peer's call means; nil for what is not on the list.
    func target(_ number: UInt32) -> Target? { number < UInt32(targets.count) ? targets[Int(number)] : nil }

    func target(_ named: CallTarget) -> Target? {
        switch named {
        case .number(let number): target(number)
        case .name(let name): numbers[name].flatMap { target($0) }
        }
    }
}
