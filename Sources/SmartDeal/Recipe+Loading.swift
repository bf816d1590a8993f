import Decomposition
import Foundation

extension Recipe {
    /// A recipe that is known by name, or one from a YAML file.
    ///
    /// - Throws: ``DecompositionError`` `.invalidRecipe` with the path and the line.
    public static func load(_ nameOrPath: String) throws -> Recipe {
        if let named = Recipe.named(nameOrPath) { return named }
        let text: String
        do {
            text = try String(contentsOfFile: nameOrPath, encoding: .utf8)
        } catch {
            throw DecompositionError(
                .invalidRecipe,
                "it cannot be read, and is none of \(Recipe.names.joined(separator: ", "))",
                path: nameOrPath)
        }
        do {
            return try Recipe(yaml: text)
        } catch let error as DecompositionError {
            let place = [nameOrPath, error.path].compactMap { $0 }.joined(separator: ", ")
            throw DecompositionError(error.code, error.message, path: place)
        }
    }
}
