import Decomposition
import Networks

extension Recipe {
    /// What training in SmartDeal form uses unless told otherwise: the authors' form with a basis for
    /// every filter, which leaves most to learn; half of the positions of convolutions with a kernel
    /// are dropped, of the first one none.
    public static func training(_ network: Network) -> Recipe {
        var recipe = Recipe()
        recipe.defaults = [Setting("mode", .text(Mode.reference.rawValue))]
        recipe.kinds[.conv] = [Setting("prune", .number(0.5))]
        if let first = network.weightSites.first(where: { $0.shape.count > 2 }) {
            recipe.rules = [Rule(Glob(first.name), [Setting("prune", .number(0))])]
        }
        return recipe
    }

    /// What a recipe asks for that weights cannot do while they learn.
    var problemsInTraining: [String] {
        guard let bits else { return [] }
        return [
            "a recipe for training cannot have bits (\(bits)): they are spread by the errors of "
                + "weights that are compressed once. Set nibbles and basis-width of layers, or "
                + "train dense and give --bits to `smartdeal compress`"
        ]
    }
}
